// SPDX-License-Identifier: Apache-2.0
// tests/unit/link_main.cc: a program of nothing but one whole room and its legal dependencies.

/// That it links is the test: a room that calls into another one leaves an undefined name.
int main() {
    return 0;
}
