-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "body-error-table", api = 1, summary = "Raises tables.",
  role "node" {
    state "first" { within = "1s", next = "second",
      enter = function()
        local ok, problem = pcall(error, { kind = "refused", code = "no-room", what = "the disk is full" })
        log.info("%s %s %s: %s", ok, problem.kind, problem.code, problem.what)
        log.info("no table: %s", select(2, pcall(error, "plain words")))
      end },
    state "second" { within = "1s", next = "done",
      enter = function()
        error { kind = "refused", code = "no-room", what = "the disk is full", during = "write the state" }
      end },
  },
}
