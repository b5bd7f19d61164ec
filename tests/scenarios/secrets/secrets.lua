-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "secrets", api = 1, summary = "Has a secret.",
  vars = { qmp = var.path { doc = "QMP socket." }, password = var.secret { doc = "The disk's." } },
  role "node" {
    state "setting" { within = "10s", next = "failing",
      enter = function(m)
        qmp("object-add", { id = "key", data = m.password })
        log.info("it is %s", m.password)
        progress("with %q", m.password)
        m:undo("forget " .. m.password, function() error("no " .. m.password, 0) end)
        emit("it:said", { what = m.password })
        local ok, problem = pcall(qmp, "object-add", { id = "key", data = m.password })
        log.warn("%s: %s", ok, problem)
        exec.try { "cryptsetup", m.password, undo = { "true", m.password } }
      end },
    state "failing" { within = "10s", next = "done", enter = function(m) error(m.password, 0) end },
  },
}
