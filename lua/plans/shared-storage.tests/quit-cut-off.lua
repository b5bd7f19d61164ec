-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "That the connection was lost is no sign that the QEMU has ended which was to end.",
  faults = { { "stop-dest", command = "qom-list", role = "dest" },
    { "closed", reply = "qom-list", role = "dest" } },
  expect = { source = { ends = "aborted" }, dest = { ends = "aborted in listen" },
    guest = "source", lost = 0 },
}
