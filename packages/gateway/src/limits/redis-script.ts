/**
 * Charging in one round trip. KEYS: one per bucket. ARGV: lease, then per bucket kind, max, amount, milliseconds, and
 * milliseconds of a sum's lease. Windows are hashes {n = used, w = which window}, gauges sorted sets lease → end; sums
 * hashes {n = used and reserved}, each beside a sorted set reservation → end, in the same slot by the braces of its name:
 * what a process that died had reserved is given back. Time is Redis's own: when that is set back, a window would last by
 * so much longer, and is cut to its length.
 * Answers {status, [used, resetMs, room, hold] per bucket}: 1 granted, 0 refused, -1 followed by unseeded indices.
 */
export const chargeScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local states, unseeded, room = {}, {}, true
local function giveBack(key, held)
  local lost = redis.call('ZRANGEBYSCORE', held, '-inf', now)
  if #lost == 0 then return end
  redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
  local used = tonumber(redis.call('HGET', key, 'n'))
  if not used then return end
  for _, reservation in ipairs(lost) do used = used - tonumber(string.match(reservation, '%d+$')) end
  redis.call('HSET', key, 'n', math.max(0, used))
end
for i, key in ipairs(KEYS) do
  local base = 1 + (i - 1) * 5
  local kind, max, amount, ms = ARGV[base + 1], tonumber(ARGV[base + 2]), tonumber(ARGV[base + 3]), tonumber(ARGV[base + 4])
  if kind == 'gauge' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local used = redis.call('ZCARD', key)
    local free = used < max
    room = room and free
    states[i] = {used, 0, free and 1 or 0, ''}
  else
    if kind == 'sum' then giveBack(key, key .. ':held') end
    local found = redis.call('HMGET', key, 'n', 'w')
    if kind == 'sum' and not found[1] then unseeded[#unseeded + 1] = i - 1 end
    local used = tonumber(found[1] or '0')
    local free = used + amount <= max
    local left = found[1] and redis.call('PTTL', key) or ms
    if kind == 'window' and left > ms then
      redis.call('PEXPIRE', key, ms)
      left = ms
    end
    room = room and free
    states[i] = {used, left, free and 1 or 0, found[2] or ''}
  end
end
if #unseeded > 0 then return {-1, unseeded} end
if not room then return {0, states} end
for i, key in ipairs(KEYS) do
  local base = 1 + (i - 1) * 5
  local kind, amount, ms, leaseMs = ARGV[base + 1], ARGV[base + 3], tonumber(ARGV[base + 4]), tonumber(ARGV[base + 5])
  if kind == 'gauge' then
    redis.call('ZADD', key, now + ms, ARGV[1])
    if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
    states[i][1] = states[i][1] + 1
  else
    states[i][1] = redis.call('HINCRBY', key, 'n', amount)
    if kind == 'sum' then
      states[i][4] = ARGV[1] .. ':' .. i .. ':' .. amount
      redis.call('ZADD', key .. ':held', now + leaseMs, states[i][4])
      redis.call('PEXPIRE', key .. ':held', states[i][2])
    elseif states[i][4] == '' then
      states[i][4] = ARGV[1]
      redis.call('HSET', key, 'w', ARGV[1])
      redis.call('PEXPIRE', key, ms)
    end
  end
end
return {1, states}
`;

/**
 * Settling. ARGV: per bucket kind, what was held (its window, its lease, its reservation), delta, used. What belongs to
 * an earlier window is left alone. A sum that no longer holds the reservation, because it began anew with what the record
 * said or the lease has ended, knows nothing of this call.
 */
export const settleScript = `
local function add(key, delta)
  if delta ~= 0 and redis.call('HINCRBY', key, 'n', delta) < 0 then redis.call('HSET', key, 'n', 0) end
end
for i, key in ipairs(KEYS) do
  local base = (i - 1) * 4
  local kind, hold, delta, used = ARGV[base + 1], ARGV[base + 2], tonumber(ARGV[base + 3]), tonumber(ARGV[base + 4])
  if kind == 'gauge' then
    redis.call('ZREM', key, hold)
  elseif kind == 'sum' then
    local held = redis.call('ZREM', key .. ':held', hold) == 1
    if redis.call('HEXISTS', key, 'n') == 1 then add(key, held and delta or used) end
  elseif redis.call('HGET', key, 'w') == hold then
    add(key, delta)
  end
end
return 1
`;

/** Sets a sum's start unless somebody else did. ARGV: used, milliseconds. */
export const seedScript = `
if redis.call('HSETNX', KEYS[1], 'n', ARGV[1]) == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('DEL', KEYS[1] .. ':held')
end
return 1
`;
