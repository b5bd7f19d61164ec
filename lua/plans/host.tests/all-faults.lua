-- SPDX-License-Identifier: Apache-2.0
return { claim = "Whatever does not answer, nothing is changed, and it ends.", faults = "all" }
