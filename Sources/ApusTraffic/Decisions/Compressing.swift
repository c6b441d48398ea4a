extension CompressionPolicy {
    private static let acceptEncoding: StaticString = "Accept-Encoding"

    /// What the client accepts, best first; gzip only if nothing it likes better can be done without it.
    public static func wantsGzip(_ request: HTTPHead) -> Bool {
        guard let range = request.value(.acceptEncoding) else { return false }
        var best: (name: String, quality: Double)?
        for part in request.text(range).split(separator: ",").prefix(64) {
            let pieces = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let name = pieces.first, ["gzip", "*", "identity"].contains(name) else { continue }
            var quality = 1.0
            for piece in pieces.dropFirst() where piece.hasPrefix("q=") { quality = Double(piece.dropFirst(2)) ?? 0 }
            if quality > 0, quality > best?.quality ?? 0 { best = (name, quality) }
        }
        return best.map { $0.name != "identity" } ?? false
    }

    /// Prepares the head of an answer.
    ///
    /// - Parameters:
    ///   - wantsGzip: of the request as it came, since the filter may have removed its header.
    ///   - endsHere: there is no body.
    /// - Returns: true if the body has to be compressed.
    public func prepare(_ response: inout HTTPHead, wantsGzip: Bool, endsHere: Bool) -> Bool {
        let isCompressible =
            isEnabled && isLongEnough(response) && response.status != 101 && allowsType(response)
            && !says(response, Self.cacheControl, "no-transform")
            && !(disabledByETag && response.contains(Self.etag)) && !response.contains(Self.contentEncoding)
            && !statusesLeftAlone.contains(response.status)
        guard isCompressible else { return false }
        defer { vary(&response) }
        guard !endsHere, wantsGzip,
            !["gzip", "deflate", "br", "zstd"].contains(where: {
                says(response, HeaderToken.transferEncoding.name, $0)
            })
        else { return false }
        // A strong tag names bytes; these are others now.
        if let tag = response.value(Self.etag), !response.text(tag).uppercased().hasPrefix("W/") {
            response.remove(Self.etag)
        }
        response.remove(.contentLength)
        response.append(Self.contentEncoding, "gzip")
        return true
    }

    private static let cacheControl = HeaderName("cache-control")
    private static let contentEncoding = HeaderName("content-encoding")
    private static let etag = HeaderName("etag")

    private func isLongEnough(_ response: HTTPHead) -> Bool {
        guard let range = response.value(.contentLength) else { return true }
        return response.withBytes(range) { Decimal.unsigned($0) }.map { $0 >= minLength } ?? false
    }

    private func allowsType(_ response: HTTPHead) -> Bool {
        guard let range = response.value(.contentType) else { return true }
        let type = response.text(range).prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        return contentTypes.contains(type)
    }

    private func says(_ response: HTTPHead, _ name: HeaderName, _ word: String) -> Bool {
        var index = 0
        while let found = response.firstIndex(name, from: index) {
            for part in response.text(response.fields[found].value).split(separator: ",")
            where part.filter({ $0 != " " }).lowercased() == word { return true }
            index = found + 1
        }
        return false
    }

    /// A cache must know that there are two answers.
    private func vary(_ response: inout HTTPHead) {
        guard let range = response.value(.vary), !range.isEmpty else {
            response.replace(.vary, Self.acceptEncoding)
            return
        }
        let text = response.text(range)
        // Envoy compares the case, too: a name in lower case is joined by another.
        let names = text.split(separator: ",").map { $0.filter { $0 != " " } }
        if !names.contains("Accept-Encoding") { response.replace(.vary, "\(text), Accept-Encoding") }
    }
}
