using GrayMQ.Client.Consumers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrayMQ.Client.Hosting;

/// <summary>Runs a push consumer while the application runs.</summary>
internal sealed class ConsumerService<THandler> : IHostedService, IAsyncDisposable
    where THandler : class, IMessageHandler
{
    private readonly PushConsumer _consumer;
    private readonly IDisposable? _options;

    /// <param name="name">Of the options.</param>
    public ConsumerService(
        IOptionsMonitor<PushConsumerOptions> options, string name, IServiceScopeFactory scopes, ILoggerFactory? loggers, TimeProvider? time)
    {
        _consumer = new PushConsumer(options.Get(name), new ScopedHandler<THandler>(scopes), loggers, time);
        _options = GrayOptions.Follow(options, name, _consumer.SetGray);
    }

    public Task StartAsync(CancellationToken cancellationToken) => _consumer.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _consumer.StopAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        _options?.Dispose();
        return _consumer.DisposeAsync();
    }
}
