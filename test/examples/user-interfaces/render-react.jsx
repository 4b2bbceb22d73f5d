import { renderToString } from 'react-dom/server';
import { Answer } from '../../../examples/user-interfaces/react.jsx';

export const render = (prompt) => renderToString(<Answer prompt={prompt} />);
