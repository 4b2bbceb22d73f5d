export { redisLog, type RedisLogOptions } from './redis-log.js';
export type { IoredisClient, NodeRedisClient, RedisLogClient } from './redis-client.js';
