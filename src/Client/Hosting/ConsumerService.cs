using GrayMQ.Client.Consumers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Hosting;

/// <summary>Runs a push consumer while the application runs.</summary>
internal sealed class ConsumerService<THandler>(
    PushConsumerOptions options, IServiceScopeFactory scopes, ILoggerFactory? loggers, TimeProvider? time)
    : IHostedService, IAsyncDisposable
    where THandler : class, IMessageHandler
{
    private readonly PushConsumer _consumer = new(options, new ScopedHandler<THandler>(scopes), loggers, time);

    public Task StartAsync(CancellationToken cancellationToken) => _consumer.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _consumer.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _consumer.DisposeAsync();
}
