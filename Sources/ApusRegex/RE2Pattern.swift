internal import CApusRE2

/// A compiled RE2 pattern: linear time, whole-value match, as Envoy's `safe_regex`.
public final class RE2Pattern: @unchecked Sendable {
    // Unchecked: the handle is immutable after `init`, and RE2 allows any number of threads to match with it.
    private let handle: OpaquePointer
    public let text: String

    public struct SyntaxError: Error, Hashable, Sendable {
        public let message: String
    }

    /// - Parameter maxMemory: bytes that the compiled program and its caches may take.
    public init(_ text: String, caseSensitive: Bool = true, maxMemory: Int64 = 8 << 20) throws(SyntaxError) {
        self.text = text
        var message = [CChar](repeating: 0, count: 256)
        var pattern = text
        let handle = pattern.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                apus_re2_compile($0.baseAddress, $0.count, caseSensitive ? 1 : 0, maxMemory, &message, message.count)
            }
        }
        guard let handle else {
            let end = message.firstIndex(of: 0) ?? message.count
            throw SyntaxError(message: String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        self.handle = handle
    }

    deinit { apus_re2_free(handle) }

    /// Instructions of the program, the figure Envoy limits.
    public var programSize: Int { Int(apus_re2_program_size(handle)) }

    public var groupCount: Int { Int(apus_re2_group_count(handle)) }

    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.withMemoryRebound(to: CChar.self) { apus_re2_full_match(handle, $0.baseAddress, $0.count) == 1 }
    }

    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// True if `\N` in the substitution refers only to groups that exist.
    public func accepts(substitution: String) -> Bool {
        var substitution = substitution
        return substitution.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { apus_re2_check_rewrite(handle, $0.baseAddress, $0.count) == 1 }
        }
    }

    /// Every match replaced; `\1` in the substitution refers to groups.
    public func replacingAll(in text: String, with substitution: String) -> String {
        var text = text
        var substitution = substitution
        return text.withUTF8 { source in
            source.withMemoryRebound(to: CChar.self) { source in
                substitution.withUTF8 { rewrite in
                    rewrite.withMemoryRebound(to: CChar.self) { rewrite in
                        var room = source.count + rewrite.count + 64
                        while true {
                            var size = 0
                            let result = [UInt8](unsafeUninitializedCapacity: room) { out, count in
                                size = out.withMemoryRebound(to: CChar.self) {
                                    apus_re2_replace_all(
                                        handle, source.baseAddress, source.count, rewrite.baseAddress, rewrite.count,
                                        $0.baseAddress, room)
                                }
                                count = size <= room ? size : 0
                            }
                            if size <= room { return String(decoding: result, as: UTF8.self) }
                            room = size
                        }
                    }
                }
            }
        }
    }
}
