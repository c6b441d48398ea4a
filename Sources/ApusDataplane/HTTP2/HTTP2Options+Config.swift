internal import ApusTraffic

extension HTTP2Options {
    /// What the configuration says, and the defaults for the rest.
    internal init(_ options: HTTP2ProtocolOptions) {
        self.init()
        func set(_ target: inout UInt32, _ value: UInt32?) { if let value { target = value } }
        set(&headerTableSize, options.hpackTableSize)
        set(&maxConcurrentStreams, options.maxConcurrentStreams)
        set(&initialStreamWindow, options.initialStreamWindow)
        set(&initialConnectionWindow, options.initialConnectionWindow)
        set(&maxOutboundFrames, options.maxOutboundFrames)
        set(&maxOutboundControlFrames, options.maxOutboundControlFrames)
        set(&maxConsecutiveEmptyFrames, options.maxConsecutiveEmptyFrames)
        set(&maxPriorityFramesPerStream, options.maxPriorityFramesPerStream)
        set(&maxWindowUpdatesPerDataFrame, options.maxWindowUpdatesPerDataFrame)
        allowsConnect = options.allowsConnect
        malformedMessageEndsStream = options.malformedMessageEndsStream
    }
}
