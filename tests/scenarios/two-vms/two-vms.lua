-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "two-vms", api = 1, summary = "Works with two VMs at once.",
  vars = { qmp = var.path { doc = "QMP socket." }, other = var.path { doc = "The second one's." } },
  role "node" {
    state "both" { within = "10s",
      enter = function(m)
        local helper = qmp.connect(m.other, "helper")
        m:hold { what = "the helper", release = function() helper.release() log.info("let go of %s", helper.name) end }
        local ok, problem = pcall(qmp.connect, m.other, "helper")
        log.info("%s: %s", ok, problem)
        helper("cont")
        qmp("stop")
        log.info("%s", wait({ "RESUME", vm = "helper" }).vm)
        local answer
        answer, problem = helper.try("device_del", { id = "disk1" })
        log.info("%s: %s", answer, problem)
      end,
      on { "SHUTDOWN", vm = "helper", go = "done" },
      on { "SHUTDOWN", go = "abort" } },
  },
}
