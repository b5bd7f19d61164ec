-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "undo-fails", api = 1, summary = "Its undo is refused.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "first" { within = "1s", next = "done",
      enter = function(m)
        m:undo("wake the guest", function() qmp("cont") end)
        m:undo("detach the disk", function() qmp("device_del", { id = "disk1" }) end)
        m:hold { what = "the lock", release = function() log.info("unlocked") end }
        qmp("stop")
        qmp("migrate", { uri = "tcp:192.0.2.1:4444" })
      end },
  },
}
