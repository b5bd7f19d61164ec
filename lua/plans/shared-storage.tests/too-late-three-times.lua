-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that always stands too early is begun three times, and stays.",
  vars = { start = "/vm/start-qemu" },
  faults = { { "late", word = "hold" }, { "late", word = "hold" }, { "late", word = "hold" } },
  expect = {
    source = { ends = "aborted in hold", why = "in each of 3 attempts" },
    guest = "source",
    lost = 0,
  },
}
