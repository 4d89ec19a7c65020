using GrayMQ.Client.Producers.Transactions;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.DependencyInjection;

namespace GrayMQ.Client.Hosting;

/// <summary>Has each check of a transaction answered by a checker of a scope of its own.</summary>
internal sealed class ScopedChecker<TChecker>(IServiceScopeFactory scopes) : ITransactionChecker
    where TChecker : class, ITransactionChecker
{
    public async ValueTask<TransactionOutcome> CheckAsync(ReceivedMessage message, CancellationToken cancel)
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            return await scope.ServiceProvider.GetRequiredService<TChecker>().CheckAsync(message, cancel).ConfigureAwait(false);
        }
    }
}
