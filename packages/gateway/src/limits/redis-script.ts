/**
 * Charging in one round trip. KEYS: one per bucket. ARGV: lease, then per bucket kind, max, amount, milliseconds.
 * Windows and sums are hashes {n = used, w = which window}; gauges are sorted sets lease → end. Time is Redis's own: when
 * that is set back, a window would last by so much longer, and is cut to its length.
 * Answers {status, [used, resetMs, room, window] per bucket}: 1 granted, 0 refused, -1 followed by unseeded indices.
 */
export const chargeScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local states, unseeded, room = {}, {}, true
for i, key in ipairs(KEYS) do
  local base = 1 + (i - 1) * 4
  local kind, max, amount, ms = ARGV[base + 1], tonumber(ARGV[base + 2]), tonumber(ARGV[base + 3]), tonumber(ARGV[base + 4])
  if kind == 'gauge' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local used = redis.call('ZCARD', key)
    local free = used < max
    room = room and free
    states[i] = {used, 0, free and 1 or 0, ''}
  else
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
  local base = 1 + (i - 1) * 4
  local kind, amount, ms = ARGV[base + 1], ARGV[base + 3], tonumber(ARGV[base + 4])
  if kind == 'gauge' then
    redis.call('ZADD', key, now + ms, ARGV[1])
    if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
    states[i][1] = states[i][1] + 1
  else
    states[i][1] = redis.call('HINCRBY', key, 'n', amount)
    if states[i][4] == '' then
      states[i][4] = ARGV[1]
      redis.call('HSET', key, 'w', ARGV[1])
      redis.call('PEXPIRE', key, ms)
    end
  end
end
return {1, states}
`;

/**
 * Settling. ARGV: per bucket kind, what was held (its window, or a gauge's lease), delta, used. What belongs to an earlier
 * window is left alone. A sum that began anew meanwhile, with what the record said, knows nothing of this call yet.
 */
export const settleScript = `
for i, key in ipairs(KEYS) do
  local base = (i - 1) * 4
  local kind, hold, delta, used = ARGV[base + 1], ARGV[base + 2], tonumber(ARGV[base + 3]), tonumber(ARGV[base + 4])
  if kind == 'gauge' then
    redis.call('ZREM', key, hold)
  else
    local window = redis.call('HGET', key, 'w')
    if window and window ~= hold then delta = kind == 'sum' and used or 0 end
    if window and delta ~= 0 and redis.call('HINCRBY', key, 'n', delta) < 0 then redis.call('HSET', key, 'n', 0) end
  end
end
return 1
`;

/** Sets a sum's start unless somebody else did. ARGV: used, milliseconds, window. */
export const seedScript = `
if redis.call('HSETNX', KEYS[1], 'n', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], 'w', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
`;
