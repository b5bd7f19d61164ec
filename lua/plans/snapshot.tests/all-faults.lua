-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Whatever single thing goes wrong, the guest runs at the end.",
  faults = "all",
}
