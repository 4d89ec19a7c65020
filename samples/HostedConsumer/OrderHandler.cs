using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace HostedConsumer;

/// <summary>Handles orders; made anew, in a scope of its own, for each message.</summary>
internal sealed class OrderHandler(ILogger<OrderHandler> logger) : IMessageHandler
{
    public ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
    {
        logger.LogInformation(
            "Handling {Order}, attempt {Attempt}", Encoding.UTF8.GetString(message.Body.Span), message.ReconsumeTimes + 1);
        return ValueTask.FromResult(ConsumeResult.Success);
    }
}
