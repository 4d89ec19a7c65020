using GrayMQ.Store.Reading;

namespace GrayMQ.Store.Dispatching;

/// <summary>What a follower may look up in the log, also while the store opens. May be used by any thread.</summary>
public interface ILogView
{
    /// <summary>Everything below survives the end of the machine.</summary>
    long DurableOffset { get; }

    /// <summary>Reads the record at a physical offset; false if no whole record begins there. Clears the slices first.</summary>
    bool TryRead(long physicalOffset, MessageSlices result);
}
