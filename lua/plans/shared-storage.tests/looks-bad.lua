-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "What is bad at the destination ends both before anything is begun.",
  vars = { pps = 100000000 },
  expect = {
    source = { ends = "aborted" },
    dest = { ends = "aborted", why = "memory: a hold of 100000000 packets" },
    guest = "source",
  },
}
