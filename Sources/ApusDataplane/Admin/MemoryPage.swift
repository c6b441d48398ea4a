internal import Glibc

/// `/memory`, in Envoy's words (`admin.v3.Memory`): numbers are strings of bytes.
///
/// Envoy asks its allocator. Here the kernel is asked, so `allocated` is the resident memory that no file stands behind, and
/// `heap_size` what of it was asked for; pages apart from the heap and caches per thread are not told apart.
internal enum MemoryPage {
    static func json() -> String {
        let fields = [
            ("allocated", bytes("RssAnon:")), ("heap_size", bytes("VmData:")), ("pageheap_unmapped", 0),
            ("pageheap_free", 0), ("total_thread_cache", 0), ("total_physical_bytes", bytes("VmRSS:")),
        ]
        return "{" + fields.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}"
    }

    /// Resident set in bytes.
    static var resident: Int { bytes("VmRSS:") }

    /// A line of `/proc/self/status`, where numbers are kilobytes; 0 if the kernel does not say.
    private static func bytes(_ name: String) -> Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix(name) else { continue }
            let words = text.split { $0 == " " || $0 == "\t" }
            return words.count > 1 ? (Int(words[1]) ?? 0) * 1024 : 0
        }
        return 0
    }
}
