-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "late-caught", api = 1, summary = "Does not want to end.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "stubborn" { within = "1s", next = "done",
      enter = function()
        local answer, problem = qmp.try("query-block")
        log.info("%s, %s %s", answer, problem.kind, problem.code)
        for attempt = 1, 3 do
          local ok, why = pcall(attempt == 2 and wait or sleep, attempt == 2 and { "RESUME" } or "1h")
          log.info("attempt %d: %s, %s", attempt, ok, why)
        end
        log.info("words are still allowed")
      end },
  },
}
