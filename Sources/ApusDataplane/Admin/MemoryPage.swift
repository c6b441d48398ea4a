internal import Glibc

/// `/memory`, in Envoy's words (`admin.v3.Memory`): numbers are strings of bytes.
///
/// Envoy asks its allocator. Here the kernel is asked, so `allocated` is the resident memory that no file stands behind, and
/// `heap_size` what of it was asked for; pages apart from the heap and caches per thread are not told apart.
internal enum MemoryPage {
    static func json() -> String {
        let kernel = status()
        let fields = [
            ("allocated", kernel["RssAnon:"] ?? 0), ("heap_size", kernel["VmData:"] ?? 0), ("pageheap_unmapped", 0),
            ("pageheap_free", 0), ("total_thread_cache", 0), ("total_physical_bytes", kernel["VmRSS:"] ?? 0),
        ]
        return "{" + fields.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}"
    }

    /// Resident set in bytes.
    static var resident: Int { status()["VmRSS:"] ?? 0 }

    /// The lines of `/proc/self/status` that are kilobytes, in bytes; none if the kernel does not say.
    private static func status() -> [String: Int] {
        guard let file = fopen("/proc/self/status", "r") else { return [:] }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        var result: [String: Int] = [:]
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }
            guard words.count == 3, words[2] == "kB", let kilobytes = Int(words[1]) else { continue }
            result[String(words[0])] = kilobytes * 1024
        }
        return result
    }
}
