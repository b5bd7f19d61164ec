-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A QEMU that does not answer while it is looked at keeps its guest, and nothing begins.",
  faults = { { "unheard", reply = "query-status", role = "source" } },
  expect = {
    source = { ends = "aborted", why = "QEMU" },
    dest = { ends = "aborted" },
    guest = "source",
  },
}
