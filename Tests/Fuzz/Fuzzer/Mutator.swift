internal import ApusCore

/// Changes manifests: bytes blindly, lines and blocks by their indentation, scalars and keys by their place in a
/// line, documents as wholes. The same seed and the same corpus give the same inputs.
struct Mutator {
    private var random: SeededRandom
    /// What to start from and to borrow from; grows with inputs that reached something new.
    private(set) var pool: [[UInt8]]
    /// Keys, and the scalars that stood behind each, over the whole pool.
    private var keys: [[UInt8]] = []
    private var values: [[UInt8]: [[UInt8]]] = [:]
    private let seeds: Int

    private static let longest = 24 << 10
    private static let largestPool = 4000

    init(seed: UInt64, corpus: [[UInt8]]) {
        random = SeededRandom(seed: seed)
        pool = corpus.isEmpty ? [Array("a: b\n".utf8)] : corpus
        seeds = pool.count
        for text in pool { learn(text) }
        keys = values.keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    mutating func keep(_ input: [UInt8]) {
        if pool.count < Self.largestPool { pool.append(input) } else { pool[seeds + below(pool.count - seeds)] = input }
    }

    mutating func next() -> [UInt8] {
        // Recent finds are looked at more often than old ones.
        let index = oneIn(3) ? max(0, pool.count - 1 - below(50)) : below(pool.count)
        var text = pool[index]
        for _ in 0...below(oneIn(3) ? 12 : 3) {
            mutate(&text)
            if text.count > Self.longest { text.removeLast(text.count - Self.longest) }
        }
        return text
    }

    // MARK: Chance

    private mutating func below(_ limit: Int) -> Int { limit <= 1 ? 0 : Int.random(in: 0..<limit, using: &random) }
    private mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
    private mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
    private mutating func word(_ list: [String]) -> [UInt8] { Array(pick(list).utf8) }

    // MARK: Choosing

    private mutating func mutate(_ text: inout [UInt8]) {
        switch below(32) {
        case 0: flip(&text)
        case 1: text.insert(contentsOf: word(Words.fragments), at: below(text.count + 1))
        case 2: deleteRange(&text)
        case 3...5: changeLines(&text)
        case 6...9: moveBlock(&text)
        case 10...12: borrowBlock(&text)
        case 13...15: documents(&text)
        case 16...22: replaceScalar(&text)
        case 23...26: borrowScalar(&text)
        case 27, 28: addKey(&text)
        case 29: renameKey(&text)
        case 30: kind(&text)
        default: extreme(&text)
        }
    }

    private mutating func flip(_ text: inout [UInt8]) {
        guard !text.isEmpty else { return }
        let place = below(text.count)
        text[place] = oneIn(2) ? text[place] ^ (1 << UInt8(below(8))) : UInt8(below(256))
    }

    private mutating func deleteRange(_ text: inout [UInt8]) {
        guard !text.isEmpty else { return }
        let start = below(text.count)
        text.removeSubrange(start..<min(text.count, start + 1 + below(oneIn(4) ? 200 : 8)))
    }

    // MARK: Lines and blocks

    private typealias Lines = [ArraySlice<UInt8>]

    private static func lines(_ text: [UInt8]) -> Lines {
        text.split(separator: 10, omittingEmptySubsequences: false)
    }

    private static func joined(_ lines: Lines) -> [UInt8] { Array(lines.joined(separator: [10])) }

    private static func indent(_ line: ArraySlice<UInt8>) -> Int { line.prefix { $0 == 32 }.count }

    /// A line and everything that is indented below it.
    private static func block(_ lines: Lines, at index: Int) -> Range<Int> {
        let indent = indent(lines[index])
        var end = index + 1
        while end < lines.count, !lines[end].isEmpty, Self.indent(lines[end]) > indent { end += 1 }
        return index..<end
    }

    private static func shifted(_ lines: ArraySlice<ArraySlice<UInt8>>, to indent: Int) -> Lines {
        guard let first = lines.first else { return [] }
        let delta = indent - Self.indent(first)
        return lines.map { line in
            if delta >= 0 { return ArraySlice(Array(repeating: 32, count: delta) + line) }
            return line.dropFirst(min(-delta, Self.indent(line)))
        }
    }

    private mutating func changeLines(_ text: inout [UInt8]) {
        var lines = Self.lines(text)
        let index = below(lines.count)
        switch below(5) {
        case 0: lines.remove(at: index)
        case 1: lines.insert(lines[index], at: index)
        case 2: lines.swapAt(index, below(lines.count))
        case 3: lines[index] = ArraySlice(Array(repeating: 32, count: 1 + below(4)) + lines[index])
        default: lines[index] = lines[index].dropFirst(min(1 + below(4), Self.indent(lines[index])))
        }
        text = Self.joined(lines)
    }

    /// Deletes a block, writes it twice, or puts it somewhere else at the indentation of that place.
    private mutating func moveBlock(_ text: inout [UInt8]) {
        var lines = Self.lines(text)
        let range = Self.block(lines, at: below(lines.count))
        let block = lines[range]
        switch below(3) {
        case 0: lines.removeSubrange(range)
        case 1: lines.insert(contentsOf: Array(block), at: range.upperBound)
        default:
            let target = below(lines.count)
            let copy = Self.shifted(block, to: Self.indent(lines[target]))
            lines.insert(contentsOf: copy, at: target)
        }
        text = Self.joined(lines)
    }

    /// A block of another input, in place of a block with the same key if there is one.
    private mutating func borrowBlock(_ text: inout [UInt8]) {
        let donor = Self.lines(pick(pool))
        let source = Self.block(donor, at: below(donor.count))
        let key = Self.key(donor[source.lowerBound])
        var lines = Self.lines(text)
        let places = lines.indices.filter { !key.isEmpty && Self.key(lines[$0]) == key }
        if !places.isEmpty, !oneIn(4) {
            let target = Self.block(lines, at: pick(places))
            lines.replaceSubrange(
                target, with: Self.shifted(donor[source], to: Self.indent(lines[target.lowerBound])))
        } else {
            let target = below(lines.count)
            lines.insert(contentsOf: Self.shifted(donor[source], to: Self.indent(lines[target])), at: target)
        }
        text = Self.joined(lines)
    }

    /// The key that a line begins with, `-` passed over.
    private static func key(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = line.drop { $0 == 32 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "{") }
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")) else { return [] }
        return rest[..<colon]
    }

    private mutating func documents(_ text: inout [UInt8]) {
        func split(_ text: [UInt8]) -> [[UInt8]] {
            var result: [[UInt8]] = [[]]
            for line in Self.lines(text) {
                if line.elementsEqual("---".utf8) {
                    result.append([])
                } else {
                    result[result.count - 1] += line + [10]
                }
            }
            return result
        }
        var all = split(text)
        let others = split(pick(pool))
        let other = pick(others)
        switch below(5) {
        case 0: all.remove(at: below(all.count))
        case 1: all.insert(pick(all), at: below(all.count + 1))
        case 2: all[below(all.count)] = other
        default: all.insert(other, at: below(all.count + 1))
        }
        text = Array(all.joined(separator: Array("---\n".utf8)))
    }

    // MARK: Scalars and keys

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"),
            UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "|"), UInt8(ascii: "~"), 0x80...:
            true
        default: false
        }
    }

    /// The words of a text that are keys (a colon follows), or those that are not; `- ` is not a word.
    private static func words(_ text: [UInt8], keys: Bool) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var index = 0
        while index < text.count {
            guard isWord(text[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < text.count, isWord(text[index]) { index += 1 }
            if index - start == 1, text[start] == UInt8(ascii: "-") { continue }
            let isKey = index < text.count && text[index] == UInt8(ascii: ":")
            if isKey == keys { result.append(start..<index) }
        }
        return result
    }

    private mutating func learn(_ text: [UInt8]) {
        let found = Self.words(text, keys: true)
        for range in found {
            let rest = text[range.upperBound...].dropFirst().prefix {
                $0 != 10 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}")
            }
            let value = rest.drop { $0 == 32 }
            let key = Array(text[range])
            if values[key]?.count ?? 0 < 40, value.count < 60 { values[key, default: []].append(Array(value)) }
        }
    }

    private mutating func scalar() -> [UInt8] {
        switch below(6) {
        case 0: word(Words.numbers)
        case 1: word(Words.durations)
        case 2: word(Words.hosts)
        case 3: word(Words.addresses)
        default: word(Words.texts)
        }
    }

    private mutating func replaceScalar(_ text: inout [UInt8]) {
        let places = Self.words(text, keys: false)
        guard !places.isEmpty else { return }
        let place = pick(places)
        let old = text[place]
        // Like for like most of the time, so that the input gets past the reader.
        let isNumber = old.allSatisfy { (0x30...0x39).contains($0) }
        let isDuration = old.last == UInt8(ascii: "s") && old.first.map { (0x30...0x39).contains($0) } ?? false
        let isHost = old.contains(UInt8(ascii: ".")) || old.contains(UInt8(ascii: "*"))
        let new: [UInt8]
        if oneIn(4) {
            new = scalar()
        } else if isNumber {
            new = oneIn(2) ? Array("\(below(oneIn(2) ? 16 : 70_000))".utf8) : word(Words.numbers)
        } else if isDuration {
            new = word(Words.durations)
        } else if isHost {
            new = oneIn(4) ? word(Words.addresses) : word(Words.hosts)
        } else {
            // Another word of the same text: names meet.
            new = oneIn(2) ? Array(text[pick(places)]) : scalar()
        }
        text.replaceSubrange(place, with: new)
    }

    /// A value that the corpus has behind the same key.
    private mutating func borrowScalar(_ text: inout [UInt8]) {
        let places = Self.words(text, keys: true)
        guard !places.isEmpty else { return }
        let place = pick(places)
        let key = Array(text[place])
        guard let known = values[key], !known.isEmpty else { return replaceScalar(&text) }
        var end = place.upperBound + 1
        while end < text.count, text[end] != 10, text[end] != UInt8(ascii: ","), text[end] != UInt8(ascii: "}") {
            end += 1
        }
        guard place.upperBound + 1 <= min(end, text.count) else { return }
        text.replaceSubrange(place.upperBound + 1..<min(end, text.count), with: [32] + pick(known))
    }

    /// A key of the corpus with one of its values, beside an existing key.
    private mutating func addKey(_ text: inout [UInt8]) {
        guard !keys.isEmpty else { return }
        let key = pick(keys)
        let value = oneIn(3) ? scalar() : values[key].map { list in list[below(list.count)] } ?? []
        let places = Self.words(text, keys: true)
        guard !places.isEmpty else { return }
        let place = pick(places).lowerBound
        let lineStart = text[..<place].lastIndex(of: 10).map { $0 + 1 } ?? 0
        let isBlockKey = text[lineStart..<place].allSatisfy { $0 == 32 || $0 == UInt8(ascii: "-") }
        let separator: [UInt8] =
            isBlockKey ? [10] + Array(repeating: 32, count: place - lineStart) : Array(", ".utf8)
        text.insert(contentsOf: key + Array(": ".utf8) + value + separator, at: place)
    }

    private mutating func renameKey(_ text: inout [UInt8]) {
        let places = Self.words(text, keys: true)
        guard !places.isEmpty, !keys.isEmpty else { return }
        text.replaceSubrange(pick(places), with: pick(keys))
    }

    private mutating func kind(_ text: inout [UInt8]) {
        let (key, list) = oneIn(3) ? ("apiVersion", Words.versions) : ("kind", Words.kinds)
        let places = Self.words(text, keys: true).filter { text[$0].elementsEqual(key.utf8) }
        guard !places.isEmpty else { return }
        let place = pick(places)
        var end = place.upperBound
        while end < text.count, text[end] != 10 { end += 1 }
        text.replaceSubrange(place.upperBound..<end, with: Array(": ".utf8) + word(list))
    }

    private mutating func extreme(_ text: inout [UInt8]) {
        let place = below(text.count + 1)
        switch below(5) {
        case 0: text.insert(contentsOf: Words.deep([10, 60, 70, 2000][below(4)]).utf8, at: place)
        case 1:
            text.insert(
                contentsOf: String(repeating: pick(["a", "ü", ".", "a.", "*", "(", "9"]), count: 1 + below(6000)).utf8,
                at: place)
        case 2:
            let lines = Self.lines(text)
            let block = lines[Self.block(lines, at: below(lines.count))]
            var result = lines
            for _ in 0..<min(200, 1 + below(4000 / max(1, block.count))) {
                result.insert(contentsOf: block, at: block.startIndex)
            }
            text = Self.joined(result)
        case 3: text += Array("\n---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n".utf8)
        default:
            let places = Self.words(text, keys: false)
            guard !places.isEmpty else { return }
            let target = pick(places)
            text.replaceSubrange(target, with: Words.deep(3 + below(80)).utf8)
        }
    }
}
