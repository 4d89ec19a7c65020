using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.Dispatching;

/// <summary>
/// State that is a function of the log: shown every record of the topics it follows, and every record of any topic whose
/// <see cref="StoredMessage.PreparedTransactionOffset"/> is not 0 (a message that another record of the log has led to: what was
/// committed, or delivered at its time). Each record is shown once, in the order of the log, to one thread at a time: while the store
/// opens (what lies behind <see cref="AppliedOffset"/>), then by the dispatcher.
/// </summary>
/// <remarks>
/// Where anything but <see cref="Follows"/> throws IOException, dispatching stops and the record is shown again, until it is taken.
/// </remarks>
public interface ILogFollower
{
    /// <summary>For log lines.</summary>
    string Name { get; }

    /// <summary>
    /// Everything below is in the follower's own durable state, so that it need not be shown again: a physical offset where a record
    /// begins or ends. -1 if there is no state: then the whole log is shown.
    /// </summary>
    long AppliedOffset { get; }

    /// <summary>The store is about to open: before anything is shown. What the log already has can be read from here on.</summary>
    void OnOpening(ILogView log)
    {
    }

    /// <summary>Are records of this topic wanted? A pure function: the answer is kept with the topic.</summary>
    bool Follows(ReadOnlySpan<byte> topic);

    /// <summary>A record; the view is only good for the call. Everything waits for its return, so it should hand on and be gone.</summary>
    void OnRecord(in StoredMessage message);

    /// <summary>
    /// Every record below <paramref name="offset"/> has been shown and is on disk: from here on the log need not be shown again once
    /// the state has what was shown. Called at check points, so that a follower whose topics are silent does not fall behind.
    /// </summary>
    void OnCheckPoint(long offset);

    /// <summary>
    /// The log ends at <paramref name="logEnd"/>, before <see cref="AppliedOffset"/>: a power failure or damage took its end away. What was
    /// applied stays, but names records that are not there; the applied offset goes back, durably, before anything is appended.
    /// </summary>
    void OnLogCut(long logEnd);
}
