using GrayMQ.Client.Consumers;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;

namespace GrayMQ.Client.Hosting;

/// <summary>Has each message handled by a handler of a scope of its own.</summary>
internal sealed class ScopedHandler<THandler>(IServiceScopeFactory scopes) : IMessageHandler
    where THandler : class, IMessageHandler
{
    public async ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            return await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(message, cancel).ConfigureAwait(false);
        }
    }
}
