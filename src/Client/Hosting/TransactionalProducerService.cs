using GrayMQ.Client.Producers.Transactions;
using Microsoft.Extensions.Hosting;

namespace GrayMQ.Client.Hosting;

/// <summary>
/// Makes a transactional producer known to its brokers when the application starts, so that they can ask it about transactions that an
/// earlier run left behind.
/// </summary>
internal sealed class TransactionalProducerService(TransactionalProducer producer, IReadOnlyCollection<string> topics) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => producer.StartAsync(topics, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
