-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "words", api = 1, summary = "Speaks.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function()
        log.debug("as it is: 100%")
        log.info("%d of %d, %s, %q, %5.1f", 1, 2, { "a table" }, "a\ntext", 0.05)
        log.warn({ kind = "odd" })
        log.error("two\nlines, a \27[31mcolour\27[0m and a bell\7")
        progress("%d %% copied", 42)
        progress("done")
        for key, value in pairs { b = 2, a = 1, 10, [true] = false } do log.info("%s = %s", key, value) end
        log.info("%s %s %s", tostring(nil), tostring(log.info), tostring {})
      end },
  },
}
