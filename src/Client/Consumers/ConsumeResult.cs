namespace GrayMQ.Client.Consumers;

/// <summary>How handling ended.</summary>
public enum ConsumeResult
{
    /// <summary>Done: the message will not come again.</summary>
    Success,

    /// <summary>
    /// Not done: the message will come again. An orderly consumer first waits a moment and then hands out the same message, so that
    /// its queue keeps its order.
    /// </summary>
    RetryLater,
}
