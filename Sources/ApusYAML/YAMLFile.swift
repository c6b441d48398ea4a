package import ApusCore

/// One document of a file.
package struct YAMLDocument: Sendable {
    package let root: YAMLNode
    /// Duplicate keys and the like: what is wrong in a document that could still be read. A document with a finding
    /// here must not be used, but its identity can be looked up.
    package let findings: [Finding]
}

/// What was read from one file.
package struct YAMLFile: Sendable {
    package let documents: [YAMLDocument]
    /// Errors after which a document, or the rest of the file, could not be read at all.
    package let findings: [Finding]

    /// Reads YAML or JSON text.
    ///
    /// An error ends its document alone: documents before it are kept, and reading goes on at the next `---`. Empty
    /// documents are left out.
    package static func parse(
        file: String, text: [UInt8], limits: YAMLLimits = .standard
    ) -> YAMLFile {
        text.withUnsafeBufferPointer { parse(file: file, bytes: $0, limits: limits) }
    }

    private static func parse(file: String, bytes: UnsafeBufferPointer<UInt8>, limits: YAMLLimits) -> YAMLFile {
        guard bytes.count <= limits.bytes else {
            let finding = Finding(
                .error, YAMLCode.limit, "the file has \(bytes.count) bytes, more than the limit of \(limits.bytes)",
                hint: "split the file", at: SourceLocation(file: file, position: .start))
            return YAMLFile(documents: [], findings: [finding])
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let body = bytes.starts(with: mark) ? UnsafeBufferPointer(rebasing: bytes[3...]) : bytes
        var builder = YAMLTreeBuilder(file: file, limits: limits)
        if let joined = YAMLText.joiningSurrogates(body) {
            joined.withUnsafeBufferPointer { builder.read($0) }
        } else {
            builder.read(body)
        }
        return builder.finish()
    }

    init(documents: [YAMLDocument], findings: [Finding]) {
        self.documents = documents
        self.findings = findings
    }
}
