namespace GrayMQ.Store.Reading;

/// <summary>
/// How a read went (RocketMQ: GetMessageStatus); the next offset that goes with each stands beside it.
/// </summary>
public enum ReadStatus
{
    /// <summary>Messages were found; next is behind the last entry looked at.</summary>
    Found,

    /// <summary>The filter took none of the entries looked at; next is behind them.</summary>
    NoMatchedMessage,

    /// <summary>The messages are being removed by retention; next is behind the entries looked at.</summary>
    MessageWasRemoving,

    /// <summary>The queue's file is missing; next is the start of the following consume-queue file.</summary>
    OffsetFoundNull,

    /// <summary>Beyond the end; next is the queue's end.</summary>
    OffsetOverflowBadly,

    /// <summary>At the end: nothing there yet; next is the same offset.</summary>
    OffsetOverflowOne,

    /// <summary>Before the beginning; next is the queue's min offset.</summary>
    OffsetTooSmall,

    /// <summary>There is no such queue; next is 0.</summary>
    NoMatchedLogicQueue,

    /// <summary>The queue never had a message; next is 0.</summary>
    NoMessageInQueue,
}

/// <summary>Which of several messages a search by time shall give (RocketMQ: BoundaryType).</summary>
public enum BoundaryType
{
    /// <summary>The first message stored at or after the time; the queue's end if there is none.</summary>
    Lower,

    /// <summary>The last message stored at or before the time; the queue's min offset if there is none.</summary>
    Upper,
}
