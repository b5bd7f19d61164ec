-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "hold-stuck", api = 1, summary = "Cannot give back.",
  role "node" {
    state "first" { within = "1s", next = "done",
      enter = function(m)
        local handle = m:hold { what = "the stuck one", release = function() error("it is stuck", 0) end }
        local ok, problem = pcall(handle.release)
        log.info("%s: %s", ok, problem)
        for _, wrong in ipairs { 5, {}, { what = "no release" }, { release = function() end } } do
          ok, problem = pcall(m.hold, m, wrong)
          log.info("%s: %s", ok, problem)
        end
      end },
  },
}
