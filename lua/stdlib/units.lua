-- SPDX-License-Identifier: Apache-2.0
--- Quantities as people read them: sizes, rates and durations in the units of plans.
local units = {}

local sizes, rates = { "B", "KiB", "MiB", "GiB", "TiB" }, { "B/s", "kB/s", "MB/s", "GB/s", "TB/s" }
local forms = { [0] = "%.0f %s", "%.1f %s", "%.2f %s" }

local function scaled(number, base, names)
  local at = 1
  while number >= base and at < #names do
    number, at = number / base, at + 1
  end
  local digits = (at == 1 or number >= 100) and 0 or number >= 10 and 1 or 2
  return string.format(forms[digits], number, names[at])
end

--- 1536 bytes are "1.50 KiB".
function units.size(bytes) return scaled(bytes, 1024, sizes) end

--- 125000000 bytes a second are "125 MB/s".
function units.rate(bytes_per_second) return scaled(bytes_per_second, 1000, rates) end

--- 90000 ms are "90.0 s".
function units.duration(ms)
  if ms < 1000 then return string.format("%d ms", ms) end
  return string.format("%.1f s", ms / 1000)
end

--- 1 of 3 is "33 %"; of nothing everything is done.
function units.share(part, whole)
  return string.format("%d %%", whole > 0 and math.floor(100 * part / whole) or 100)
end

return units
