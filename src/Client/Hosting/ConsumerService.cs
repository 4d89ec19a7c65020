using GrayMQ.Client.Consumers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Hosting;

/// <summary>Runs a push consumer while the application runs.</summary>
internal sealed class ConsumerService<THandler> : IHostedService, IAsyncDisposable
    where THandler : class, IMessageHandler
{
    private readonly PushConsumer _consumer;

    public ConsumerService(
        PushConsumerOptions options, IServiceScopeFactory scopes, ILoggerFactory? loggers, TimeProvider? time) =>
        _consumer = new PushConsumer(
            options,
            async (message, cancel) =>
            {
                AsyncServiceScope scope = scopes.CreateAsyncScope();
                await using (scope.ConfigureAwait(false))
                {
                    return await scope.ServiceProvider.GetRequiredService<THandler>()
                        .HandleAsync(message, cancel)
                        .ConfigureAwait(false);
                }
            },
            loggers,
            time);

    public Task StartAsync(CancellationToken cancellationToken) => _consumer.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _consumer.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _consumer.DisposeAsync();
}
