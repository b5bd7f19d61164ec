-- SPDX-License-Identifier: Apache-2.0
--- Tries something again, each time after a longer pause. For what may be too early, not for what
--- is wrong: the last error is raised as it came.
---
---     local retry = require "retry"
---     retry { times = 5, first = 100, factor = 2, longest = 2000,
---       function() qmp("query-status") end }
---
--- `first` and `longest` are in milliseconds. `only` may name the one kind of error that is worth
--- another try: "refused", "timeout", "lost", "io". A cancelled action is never tried again.
return function(how)
  local action = how[1]
  local times, pause = how.times or 3, how.first or 100
  for attempt = 1, times do
    local ok, result = pcall(action, attempt)
    if ok then return result end
    local kind = type(result) == "table" and result.kind or "invalid"
    local hopeless = kind == "cancelled" or (how.only and how.only ~= kind)
    if hopeless or attempt == times then error(result, 0) end
    log.debug("attempt %d of %d: %s", attempt, times, result)
    sleep(pause)
    pause = math.min(pause * (how.factor or 2), how.longest or 10000)
  end
end
