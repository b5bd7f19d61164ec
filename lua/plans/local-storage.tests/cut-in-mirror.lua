-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The link is cut while the disks are copied: the guest's writes wait for two seconds.",
  model = { disk = "8G" },
  faults = { { "cut", event = "JOB_STATUS_CHANGE", status = "running" } },
  expect = {
    source = { ends = "aborted in mirror", why = "the guest's writes wait for it" },
    dest = { ends = "aborted" },
    guest = "source",
    total = "15s",
  },
}
