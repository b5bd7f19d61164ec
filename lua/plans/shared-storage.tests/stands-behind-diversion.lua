-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The destination hears what the source lost behind the diversion, and says no less.",
  model = { tls = "10GB/s" },
  faults = { { "refused", command = "query-status", state = "divert", nth = 2 },
    { "late", kernel = "delete ktm", role = "source" } },
  expect = { source = { ends = "aborted in divert" }, dest = { ends = "aborted in holding" },
    guest = "source" },
}
