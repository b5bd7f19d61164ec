-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "QEMU says no to the first cont, for it is not through with the file; the guest runs.",
  vars = { qmp = "/run/vm.qmp", file = "/var/tmp/vm.state" },
  trace = "written.jsonl",
  expect = {
    node = { ends = "done", exit = 0, states = { "stopping", "writing", "waking" } },
    guest = "node",
    total = "1s",
  },
}
