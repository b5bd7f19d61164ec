-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "What a real QEMU said when a snapshot went well: the guest runs, and the file is there.",
  vars = { qmp = "/run/vm.qmp", file = "/var/tmp/vm.state" },
  trace = "written.jsonl",
  expect = {
    node = { ends = "done", exit = 0, states = { "stopping", "writing", "waking", "looking" } },
    guest = "node",
    total = "1s",
  },
}
