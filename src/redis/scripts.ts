/**
 * The steps of the log, each one script and so one atomic step. All clocks are the server's.
 *
 * `…:meta` is a hash of what the log knows of a key, `…:log` the stream of its entries, `…:here` a hash of the
 * members that are present, `…:live` the channel. An entry has the fields `p` (the id before it, without its
 * generation where that is the same), `r` (its record) and `b` (its bytes); an empty field is left out.
 */
const common = (publish: string): string => `
local META, LOG, HERE, LIVE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local function text(number) return string.format('%.0f', number) end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function there() return redis.call('EXISTS', META, LOG) == 2 end

local function state(time)
  local fields = redis.call('HMGET', META, 'generation', 'status', 'owner', 'last', 'trimmed', 'opening', 'head', 'end',
    'leaseMs', 'ttlMs', 'leaseUntil')
  fields[11] = text(fields[11] - time)
  return fields
end

local function expire(at)
  redis.call('PEXPIREAT', META, text(at))
  redis.call('PEXPIREAT', LOG, text(at))
  redis.call('PEXPIREAT', HERE, text(at))
end

local function tell(message) redis.call('${publish}', LIVE, message) end

local function encoded(id, p, record, bytes)
  return id .. ' ' .. p .. ' ' .. #record .. ' ' .. #bytes .. '\\n' .. record .. bytes
end

local function present(time)
  local all, members = redis.call('HGETALL', HERE), {}
  for i = 1, #all, 2 do
    local till, cursor = string.match(all[i + 1], '^(%d+) (.+)$')
    if tonumber(till) > time then
      members[#members + 1] = all[i]
      members[#members + 1] = cursor
      members[#members + 1] = text(till - time)
    else
      redis.call('HDEL', HERE, all[i])
    end
  end
  return members
end

local function arrive(member, cursor, time)
  redis.call('HSET', HERE, member, text(time + redis.call('HGET', META, 'leaseMs')) .. ' ' .. cursor)
  redis.call('PEXPIREAT', HERE, redis.call('PEXPIRETIME', META))
end

local function newGeneration(last, time) return text(math.max((tonumber(last or 0) or 0) + 1, time)) end
`;

const join = `
local member, cursor, owner, over, last, kind, opening, leaseMs, ttlMs = unpack(ARGV)
local time, exists, claimed = now(), there(), 0
if owner then
  local held = redis.call('HMGET', META, 'status', 'owner', 'generation', 'last')
  local newest = exists and held[3] .. '-' .. held[4]
  local free
  if not exists then
    free = last == ''
  else
    free = string.find(over, ',' .. held[1] .. ',', 1, true) and (last == '' or last == newest)
  end
  if exists and held[1] == 'running' then
    claimed = held[2] == owner and 1 or 0
  elseif free then
    claimed = 1
    local generation, second = held[3], '0'
    if kind == 'new' then
      generation = newGeneration(held[3], time)
      redis.call('HDEL', META, 'head', 'end')
    else
      second = text(held[4] + 1)
      redis.call('HDEL', META, 'end')
    end
    if not exists then redis.call('UNLINK', META, LOG) end
    local id, previous = generation .. '-' .. second, newest or '0-0'
    redis.call('XADD', LOG, id, 'p', previous, 'r', opening)
    redis.call('HSET', META, 'generation', generation, 'status', 'running', 'owner', owner, 'last', second, 'opening',
      opening, 'openedAfter', previous, 'leaseMs', leaseMs, 'ttlMs', ttlMs, 'leaseUntil', text(time + leaseMs))
    expire(time + ttlMs)
    exists = true
    tell('e' .. encoded(id, previous, opening, ''))
  end
end
if not exists then return false end
if redis.call('HGET', META, 'status') == 'running' then
  arrive(member, cursor, time)
  tell('p')
end
return { claimed, state(time), present(time) }
`;

const append = `
local owner, generation, head, ending, trim = unpack(ARGV, 1, 5)
local held, count = redis.call('HMGET', META, 'generation', 'last', 'status', 'owner'), #ARGV
if not held[2] then return { 'refused' } end
local newest = held[1] .. '-' .. held[2]
if held[4] == owner and held[1] == generation and newest == generation .. '-' .. ARGV[count - 3] then
  -- The end that somebody else has written may have the id of the entry that comes now.
  if held[3] == 'running' or (held[3] == ending and redis.call('HGET', META, 'end') == ARGV[count - 1]) then
    return { 'again', state(now()) }
  end
end
local p = ARGV[7]
local previous = string.find(p, '-', 1, true) and p or generation .. '-' .. p
if held[4] ~= owner or held[1] ~= generation or held[3] ~= 'running' or newest ~= previous then
  if not there() then return { 'refused' } end
  return { 'refused', state(now()) }
end
local told = { 'e' }
for i = 6, count, 4 do
  local id, before, record, bytes = generation .. '-' .. ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local added
  if record == '' then
    added = redis.call('XADD', LOG, 'NOMKSTREAM', id, 'p', before, 'b', bytes)
  elseif bytes == '' then
    added = redis.call('XADD', LOG, 'NOMKSTREAM', id, 'p', before, 'r', record)
  else
    added = redis.call('XADD', LOG, 'NOMKSTREAM', id, 'p', before, 'r', record, 'b', bytes)
  end
  if not added then return { 'refused' } end
  told[#told + 1] = encoded(id, before, record, bytes)
end
redis.call('HSET', META, 'last', ARGV[count - 3])
if head ~= '' then redis.call('HSET', META, 'head', head) end
if ending ~= '' then
  redis.call('HSET', META, 'status', ending, 'end', ARGV[count - 1])
  expire(now() + redis.call('HGET', META, 'ttlMs'))
end
local dropped = 0
if trim ~= '' then
  -- Whole nodes first, and a bounded number of them; a large rest is left to the next calls.
  dropped = redis.call('XTRIM', LOG, 'MINID', '~', trim, 'LIMIT', 10000)
  if dropped < 10000 then dropped = dropped + redis.call('XTRIM', LOG, 'MINID', trim) end
end
if dropped > 0 then
  local first = redis.call('XRANGE', LOG, '-', '+', 'COUNT', 1)[1]
  local before = first[2][2]
  if not string.find(before, '-', 1, true) then before = string.match(first[1], '^%d+') .. '-' .. before end
  redis.call('HSET', META, 'trimmed', before)
end
tell(table.concat(told))
-- Without the state, which would cost as much as the token.
return { 'appended' }
`;

const restart = `
local owner, generation, previous, opening = unpack(ARGV)
if not there() then return { 'refused' } end
local held = redis.call('HMGET', META, 'generation', 'last', 'status', 'owner', 'openedAfter')
local time, newest = now(), held[1] .. '-' .. held[2]
if held[3] == 'running' and held[4] == owner then
  if held[5] == previous and held[2] == '0' then return { 'again', state(time) } end
  if held[1] == generation and newest == previous then
    local new = newGeneration(held[1], time)
    redis.call('XADD', LOG, new .. '-0', 'p', previous, 'r', opening)
    redis.call('HSET', META, 'generation', new, 'last', '0', 'opening', opening, 'openedAfter', previous)
    redis.call('HDEL', META, 'head')
    tell('e' .. encoded(new .. '-0', previous, opening, ''))
    return { 'appended', state(time) }
  end
end
return { 'refused', state(time) }
`;

const seal = `
local generation, owner, condition, ending, record = unpack(ARGV)
if not there() then return false end
local held = redis.call('HMGET', META, 'generation', 'last', 'status', 'owner', 'leaseUntil', 'ttlMs')
local time = now()
local holds = held[3] == 'running'
  and (generation == '' or generation == held[1])
  and (owner == '' or owner == held[4])
  and (condition ~= 'lease-over' or tonumber(held[5]) <= time)
  and (condition ~= 'nobody-present' or next(present(time)) == nil)
if not holds then return { 0, state(time) } end
local second = text(held[2] + 1)
redis.call('XADD', LOG, held[1] .. '-' .. second, 'p', held[2], 'r', record)
redis.call('HSET', META, 'last', second, 'status', ending, 'end', record)
expire(time + held[6])
tell('e' .. encoded(held[1] .. '-' .. second, held[2], record, ''))
return { 1, state(time) }
`;

const renew = `
local member, cursor, announce, owner, generation = unpack(ARGV)
if not there() then return false end
local held, time = redis.call('HMGET', META, 'generation', 'status', 'owner', 'leaseMs', 'ttlMs'), now()
if held[2] == 'running' then
  if member ~= '' then arrive(member, cursor, time) end
  if owner == held[3] and generation == held[1] then
    redis.call('HSET', META, 'leaseUntil', text(time + held[4]))
    expire(time + held[5])
  end
  if announce == '1' then tell('p') end
end
return { state(time), present(time) }
`;

const leave = `
if redis.call('HDEL', HERE, ARGV[1]) == 1 then tell('p') end
return true
`;

// A page costs the server a few milliseconds at most, and other commands of the connection wait no longer.
const read = `
if not there() then return false end
local after, pageBytes, pageEntries = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local page, bytes, count, full = {}, 0, 4, false
while not full and #page < pageEntries do
  local entries = redis.call('XRANGE', LOG, '(' .. after, '+', 'COUNT', count)
  for i = 1, #entries do
    local entry, size = entries[i], 0
    for j = 4, #entry[2], 2 do size = size + #entry[2][j] end
    if #page > 0 and bytes + size > pageBytes then
      full = true
      break
    end
    page[#page + 1] = entry
    bytes = bytes + size
    after = entry[1]
  end
  if #entries < count then break end
  count = math.min(pageEntries - #page, math.max(1, math.floor((pageBytes - bytes) / (bytes / #page + 16))))
end
return { state(now()), page }
`;

const inspect = `
if not there() then return false end
return state(now())
`;

// A generation is a time. Where the clock still shows that of the key, it is kept until the clock has gone on: the next
// claim takes a later one.
const forget = `
local generation, time = tonumber(redis.call('HGET', META, 'generation') or 0), now()
redis.call('UNLINK', META, LOG, HERE)
if generation >= time then
  redis.call('HSET', META, 'generation', text(generation))
  redis.call('PEXPIREAT', META, text(generation + 1))
end
return true
`;

/** What a script may do when the server is out of memory: ends, presence and renewals are written all the same. */
const bodies = {
  claim: ['#!lua', join],
  join: ['#!lua flags=allow-oom', join],
  append: ['#!lua', append],
  restart: ['#!lua', restart],
  seal: ['#!lua flags=allow-oom', seal],
  renew: ['#!lua flags=allow-oom', renew],
  leave: ['#!lua flags=allow-oom', leave],
  read: ['#!lua flags=no-writes', read],
  inspect: ['#!lua flags=no-writes', inspect],
  forget: ['#!lua flags=allow-oom', forget],
} as const;

export type ScriptName = keyof typeof bodies;

/** The scripts' sources; in a cluster they publish to the shard's channel. */
export function scriptSources(isCluster: boolean): Readonly<Record<ScriptName, string>> {
  const shared = common(isCluster ? 'SPUBLISH' : 'PUBLISH');
  return Object.fromEntries(
    Object.entries(bodies).map(([name, [shebang, body]]) => [name, `${shebang}\n${shared}${body}`]),
  ) as Record<ScriptName, string>;
}
