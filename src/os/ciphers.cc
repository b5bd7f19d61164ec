// SPDX-License-Identifier: Apache-2.0
// os/ciphers.cc: the Ciphers port on OpenSSL.
//
// Theory of operation. A TlsStream is a stream over a stream: OpenSSL never sees a socket, but two
// buffers in memory. What comes goes into the one, what it wants to send is taken out of the other
// at once, so that neither grows.
//
//     fresh ──start──> greeting ──both have the key──> open ──goodbye, cut, fault──> ended
//                          └── no TLS, another key, hung up ──────────────────────────┘
//
// TLS 1.3 alone, with a key that both have (RFC 8446, 2.2) and an exchange of fresh keys (psk_dhe):
// who learns the key later cannot read what was said. There are no certificates, and an other end
// that wants to show one has no place here: a handshake without the key is no handshake. Neither
// tickets nor early data; nothing is negotiated anew in this version, and a change of keys within a
// connection (KeyUpdate) is OpenSSL's own affair. A record beyond TLS's 16 KiB ends the connection.
//
// An end without TLS's own goodbye is an error: somebody on the way may have cut it.
#include "os/ciphers.hh"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <string>
#include <utility>

#include "base/assert.hh"

namespace ktm::os {

namespace {

constexpr std::string_view psk_identity = "katamaran";
/// The only cipher, and one of those whose hash a key from outside has if nobody says otherwise.
constexpr const char* cipher_list = "TLS_AES_128_GCM_SHA256";
constexpr std::array<unsigned char, 2> cipher_id{0x13, 0x01};
/// What is read at once; a record has no more.
constexpr std::size_t record_bytes = 16384;

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;

/// What both ends use in the place of an earlier session; null when memory is short.
SSL_SESSION* session_of(SSL* ssl, const SharedKey& key) {
    SSL_SESSION* session = SSL_SESSION_new();
    if (session == nullptr ||
        SSL_SESSION_set1_master_key(session, key.raw().data(), key.raw().size()) != 1 ||
        SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, cipher_id.data())) != 1 ||
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
        SSL_SESSION_free(session);
        return nullptr;
    }
    return session;
}

/// What OpenSSL's callbacks find by its SSL. LIFETIME: shared by the stream and by each call in
/// progress, because a handler may destroy the stream.
struct Tls : std::enable_shared_from_this<Tls> {
    explicit Tls(const SharedKey& shared) : key(shared) {}
    SharedKey key;
    Ssl ssl{nullptr, SSL_free};
    BIO* in = nullptr;  ///< LIFETIME: both belong to `ssl`.
    BIO* out = nullptr;
    std::unique_ptr<ports::Stream> plain;
    ports::Stream::Handlers handlers;
    std::string waiting;  ///< Written before the other end was known.
    bool connects = false;
    bool open = false;
    bool ended = false;
    bool owned = true;
};

const SharedKey& key_of(const SSL* ssl) {
    return static_cast<const Tls*>(SSL_get_app_data(ssl))->key;
}

int use_key(SSL* ssl, const EVP_MD*, const unsigned char** id, std::size_t* size,
            SSL_SESSION** session) noexcept {
    *id = reinterpret_cast<const unsigned char*>(psk_identity.data());
    *size = psk_identity.size();
    *session = session_of(ssl, key_of(ssl));
    return *session != nullptr ? 1 : 0;
}

int find_key(SSL* ssl, const unsigned char* id, std::size_t size, SSL_SESSION** session) noexcept {
    const bool ours = std::string_view{reinterpret_cast<const char*>(id), size} == psk_identity;
    *session = ours ? session_of(ssl, key_of(ssl)) : nullptr;
    return !ours || *session != nullptr ? 1 : 0;
}

Context make_context() {
    Context context{SSL_CTX_new(TLS_method()), SSL_CTX_free};
    KTM_ASSERT(context != nullptr);
    SSL_CTX* raw = context.get();
    KTM_ASSERT(SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1);
    KTM_ASSERT(SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1);
    KTM_ASSERT(SSL_CTX_set_ciphersuites(raw, cipher_list) == 1);
    KTM_ASSERT(SSL_CTX_set_num_tickets(raw, 0) == 1);
    (void)SSL_CTX_set_options(raw,
                              SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_psk_use_session_callback(raw, use_key);
    SSL_CTX_set_psk_find_session_callback(raw, find_key);
    return context;
}

// --- What went wrong --------------------------------------------------------------------------

Error secure_error(Kind kind, std::string_view code, std::string what) {
    return Error{kind, std::string{code}, std::move(what), "talk under the key", nullptr};
}

constexpr const char* same_key = "; expected the same key file on both nodes";

/// Before anything was said; by the newest fault that OpenSSL tells of.
Error greeting_error(unsigned long fault, bool connects) {
    const int reason = ERR_GET_REASON(fault);
    switch (reason) {
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
        case SSL_R_UNEXPECTED_MESSAGE:
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            return secure_error(Kind::refused, ports::no_tls_code,
                                "the other end does not speak TLS 1.3; expected a katamaran with "
                                "--peer-key there");
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return secure_error(Kind::refused, ports::no_tls_code,
                                "what answers there shows a certificate and knows of no key, so "
                                "it is no katamaran; expected the address and port of the other "
                                "node");
        default: break;
    }
    const char* said = ERR_reason_error_string(fault);
    const std::string detail = said != nullptr ? " (" + std::string{said} + ")" : "";
    return secure_error(Kind::refused, ports::wrong_key_code,
                        (connects ? "the other node does not take this key"
                                  : "the other end does not have this key") +
                            detail + same_key);
}

/// Takes the newest fault, and forgets the others: the queue is that of the whole thread.
unsigned long take_fault() {
    const unsigned long fault = ERR_peek_last_error();
    ERR_clear_error();
    return fault;
}

// --- The stream -------------------------------------------------------------------------------

using SharedTls = std::shared_ptr<Tls>;

/// What OpenSSL wants to say goes out.
void send_out(Tls& tls) {
    const std::size_t size = BIO_ctrl_pending(tls.out);
    if (size == 0 || tls.plain == nullptr) {
        return;
    }
    std::string bytes(size, '\0');
    const int count = BIO_read(tls.out, bytes.data(), static_cast<int>(size));
    KTM_ASSERT(count == static_cast<int>(size));
    tls.plain->write(std::move(bytes));
}

void end(Tls& tls, std::optional<Error> error) {
    if (tls.ended) {
        return;
    }
    tls.ended = true;
    send_out(tls);  // The alert that says why.
    if (tls.owned && tls.handlers.on_end) {
        tls.handlers.on_end(std::move(error));
    }
}

void write_sealed(Tls& tls, const std::string& bytes) {
    std::size_t written = 0;
    ERR_clear_error();
    // Fails only where reading will, too, and tell of it.
    if (!bytes.empty() && SSL_write_ex(tls.ssl.get(), bytes.data(), bytes.size(), &written) != 1) {
        ERR_clear_error();
    }
    send_out(tls);
}

/// True once both ends have shown that they have the key.
bool greet(Tls& tls) {
    ERR_clear_error();
    const int done = SSL_do_handshake(tls.ssl.get());
    if (done != 1) {
        const int wanted = SSL_get_error(tls.ssl.get(), done);
        if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE) {
            send_out(tls);
        } else {
            Error error = greeting_error(take_fault(), tls.connects);
            if (!tls.connects && error.code == ports::no_tls_code &&
                BIO_ctrl_pending(tls.out) == 0) {
                // Who forgot its key is to see that TLS is spoken here; OpenSSL says nothing.
                tls.plain->write(std::string{ports::version_alert});
            }
            end(tls, std::move(error));
        }
        return false;
    }
    if (SSL_session_reused(tls.ssl.get()) != 1) {
        end(tls, greeting_error(0, tls.connects));
        return false;
    }
    tls.open = true;
    send_out(tls);
    write_sealed(tls, std::exchange(tls.waiting, {}));
    return true;
}

void read_on(Tls& tls) {
    if (!tls.open && !greet(tls)) {
        return;
    }
    std::array<char, record_bytes> piece{};
    while (tls.owned && !tls.ended) {
        std::size_t count = 0;
        ERR_clear_error();
        const int read = SSL_read_ex(tls.ssl.get(), piece.data(), piece.size(), &count);
        if (read == 1) {
            tls.handlers.on_data({piece.data(), count});
            continue;
        }
        const int why = SSL_get_error(tls.ssl.get(), read);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
            send_out(tls);
            return;
        }
        if (why == SSL_ERROR_ZERO_RETURN) {
            end(tls, std::nullopt);
            return;
        }
        const char* said = ERR_reason_error_string(take_fault());
        end(tls, secure_error(Kind::protocol, "bad-record",
                              "what came is not sealed as it must be (" +
                                  std::string{said != nullptr ? said : "unknown"} + ")"));
    }
}

/// An end in order has TLS's goodbye in front of it, behind which nothing is heard.
void on_cut(Tls& tls, std::optional<Error> error) {
    if (!tls.open) {
        Error cut = secure_error(Kind::lost, "no-handshake",
                                 "the connection was closed before the two had shown each other "
                                 "that they have one key");
        if (error) {
            cut.cause = std::make_shared<const Error>(std::move(*error));
        }
        end(tls, std::move(cut));
        return;
    }
    end(tls, error ? std::move(*error)
                   : secure_error(Kind::lost, ports::truncated_code,
                                  "the connection was cut without a goodbye"));
}

class TlsStream final : public ports::Stream {
public:
    explicit TlsStream(SharedTls tls) : tls_(std::move(tls)) {}

    ~TlsStream() override {
        tls_->owned = false;
        if (tls_->open && !tls_->ended) {
            ERR_clear_error();
            (void)SSL_shutdown(tls_->ssl.get());
            ERR_clear_error();
            send_out(*tls_);
        }
        tls_->plain.reset();
    }

    void start(Handlers handlers) override {
        tls_->handlers = std::move(handlers);
        const SharedTls tls = tls_;
        Tls* const owner = tls.get();  // Of the stream, and so of its handlers.
        tls->plain->start({[owner](std::string_view bytes) {
                               const SharedTls alive = owner->shared_from_this();
                               feed(*alive, bytes);
                           },
                           [owner](std::optional<Error> error) {
                               const SharedTls alive = owner->shared_from_this();
                               on_cut(*alive, std::move(error));
                           }});
        if (tls->connects) {
            (void)greet(*tls);  // Says the first word; whatever is wrong with it comes later.
        }
    }

    void write(std::string bytes) override {
        if (tls_->ended) {
            return;
        }
        if (tls_->open) {
            write_sealed(*tls_, bytes);
        } else {
            tls_->waiting += bytes;
        }
    }

    [[nodiscard]] Ends ends() const override { return tls_->plain->ends(); }

    [[nodiscard]] std::size_t unsent_bytes() const override {
        return tls_->waiting.size() + tls_->plain->unsent_bytes();
    }

private:
    static void feed(Tls& tls, std::string_view bytes) {
        if (!tls.owned || tls.ended) {
            return;
        }
        KTM_ASSERT(BIO_write(tls.in, bytes.data(), static_cast<int>(bytes.size())) ==
                   static_cast<int>(bytes.size()));
        read_on(tls);
    }

    SharedTls tls_;
};

}  // namespace

Result<SharedKey> OpensslCiphers::make_key() {
    SharedKey::Raw raw{};
    ERR_clear_error();
    if (RAND_bytes(raw.data(), static_cast<int>(raw.size())) != 1) {
        const char* said = ERR_reason_error_string(take_fault());
        return Error{Kind::io, "no-chance", said != nullptr ? said : "nobody knows why",
                     "draw a key", nullptr};
    }
    return SharedKey{raw};
}

std::unique_ptr<ports::Stream> OpensslCiphers::secure(std::unique_ptr<ports::Stream> plain,
                                                      const SharedKey& key, End end) {
    auto tls = std::make_shared<Tls>(key);
    tls->connects = end == End::connects;
    tls->plain = std::move(plain);
    // The SSL holds a share of its context.
    tls->ssl.reset(SSL_new(make_context().get()));
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    KTM_ASSERT(tls->ssl != nullptr && tls->in != nullptr && tls->out != nullptr);
    SSL_set_bio(tls->ssl.get(), tls->in, tls->out);
    SSL_set_app_data(tls->ssl.get(), tls.get());
    if (tls->connects) {
        SSL_set_connect_state(tls->ssl.get());
        // An end that shows a certificate in the place of the key: no authority is known, so that
        // none is good.
        SSL_set_verify(tls->ssl.get(), SSL_VERIFY_PEER, nullptr);
    } else {
        SSL_set_accept_state(tls->ssl.get());
    }
    return std::make_unique<TlsStream>(std::move(tls));
}

}  // namespace ktm::os
