/// Why bytes were refused as HTTP/1.1, with what Envoy answers to a client that sent them.
package struct HTTP1Error: Error, Hashable, Sendable {
    /// The status of the local reply; for an upstream's bytes the caller answers 502 instead.
    package let status: Int
    /// The `%RESPONSE_CODE_DETAILS%` value.
    package let details: String

    package static let malformed = HTTP1Error(status: 400, details: "http1.codec_error")
    package static let invalidCharacters = HTTP1Error(status: 400, details: "http1.invalid_characters")
    package static let conflictingLength = HTTP1Error(
        status: 400, details: "http1.content_length_and_chunked_not_allowed")
    package static let bodyDisallowed = HTTP1Error(status: 400, details: "http1.body_disallowed")
    package static let badTransferEncoding = HTTP1Error(status: 501, details: "http1.invalid_transfer_encoding")
    package static let invalidAuthority = HTTP1Error(status: 400, details: "http.invalid_authority")
    package static let invalidTarget = HTTP1Error(status: 400, details: "http1.invalid_url")
    package static let headTooLarge = HTTP1Error(status: 431, details: "http1.headers_too_large")
    package static let tooManyFields = HTTP1Error(status: 431, details: "http1.too_many_headers")
    package static let lowVersion = HTTP1Error(status: 426, details: "low_version")
    package static let missingHost = HTTP1Error(status: 400, details: "missing_host_header")
    package static let trailersTooLarge = HTTP1Error(status: 431, details: "http1.trailers_too_large")
}

/// What a peer may send before it is refused. The defaults are Envoy's.
package struct HTTP1Limits: Hashable, Sendable {
    /// Bytes of a head, request or status line included.
    package var headBytes: Int
    /// Header lines of a head, or of trailers.
    package var fields: Int

    package init(headBytes: Int = 60 << 10, fields: Int = 100) {
        self.headBytes = headBytes
        self.fields = fields
    }
}
