-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "hold-released", api = 1, summary = "Gives back early.",
  role "node" {
    state "first" { within = "1s", next = "done",
      enter = function(m)
        m.note.early = m:hold { what = "the early one", release = function() log.info("early released") end }
        m:hold { what = "the late one", release = function() log.info("late released") end }
        m.note.early:release()
        m.note.early:release()
        m.note.early.release()
        log.info("the handle is still called %s", m.note.early.what)
      end },
  },
}
