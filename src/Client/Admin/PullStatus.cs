namespace GrayMQ.Client.Admin;

/// <summary>How a pull of an <see cref="AdminClient"/> ended.</summary>
public enum PullStatus
{
    /// <summary>There are messages.</summary>
    Found,

    /// <summary>There are none yet from this offset on.</summary>
    Nothing,

    /// <summary>There are some, of which the filter wanted none so far: pull again from the next offset.</summary>
    NothingMatched,

    /// <summary>The offset is not in the queue: pull from the next offset instead.</summary>
    OffsetMoved,
}
