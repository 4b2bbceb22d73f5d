import { describeApp } from './describe-app.js';

describeApp('zone');
