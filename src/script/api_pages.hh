// SPDX-License-Identifier: Apache-2.0
// script/api_pages.hh: the described words as files: a document, stubs for editors, and lists.
#pragma once

#include <map>
#include <string>

namespace ktm::script {

/// docs/api.md.
[[nodiscard]] std::string api_document();

/// lua/meta: the file's name and its text, one for each topic, in the form of LuaCATS.
[[nodiscard]] std::map<std::string, std::string> api_stubs();

/// lua/.luacheckrc: the globals of plans, for luacheck.
[[nodiscard]] std::string api_luacheckrc();

/// All files that are made from the words, by their paths from the root of the repository.
[[nodiscard]] std::map<std::string, std::string> api_pages();

}  // namespace ktm::script
