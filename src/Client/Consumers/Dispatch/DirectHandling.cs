using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>Hands a message to a handler because somebody at a broker wants to see what it does.</summary>
internal static class DirectHandling
{
    /// <param name="isOrderly">Told with the result.</param>
    public static async Task<ConsumeMessageDirectlyResult> HandleAsync(
        IBatchMessageHandler handler, ReceivedMessage message, bool isOrderly, TimeProvider time)
    {
        long start = time.GetTimestamp();
        ConsumeOutcome outcome;
        string? remark = null;
        try
        {
            ConsumeResult result = await handler.HandleAsync([message], CancellationToken.None).ConfigureAwait(false);
            outcome = result.IsSuccess ? ConsumeOutcome.Success : ConsumeOutcome.Later;
        }
        catch (Exception e)
        {
            outcome = ConsumeOutcome.ThrowException;
            remark = $"{e.GetType().Name}: {e.Message}";
        }

        return new ConsumeMessageDirectlyResult
        {
            Order = isOrderly,
            ConsumeResult = outcome,
            Remark = remark,
            SpentTimeMs = (long)time.GetElapsedTime(start).TotalMilliseconds,
        };
    }
}
