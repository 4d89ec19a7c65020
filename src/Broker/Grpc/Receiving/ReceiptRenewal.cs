using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Grpc.Clients;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// Keeps messages invisible for as long as their consumer is at work on them, where it asked for that (auto_renew), and gives them back
/// when it is gone. Times are those of RocketMQ's proxy (DefaultReceiptHandleManager).
/// </summary>
internal sealed class ReceiptRenewal(
    GrpcClients clients, ReceiptService receipts, SubscriptionGroupTable groups, TimeProvider time, ILogger<ReceiptRenewal> logger)
    : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxRenewed = TimeSpan.FromHours(3);

    // RocketMQ: RenewStrategyPolicy.
    private static readonly TimeSpan[] Steps =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10),
        TimeSpan.FromMinutes(30), TimeSpan.FromHours(1),
    ];

    private ITimer? _timer;
    private int _running;

    /// <summary>Begins to look after them; called again it does nothing.</summary>
    public void Start() => _timer ??= time.CreateTimer(_ => _ = RunAsync(), null, Period, Period);

    public void Dispose() => _timer?.Dispose();

    /// <summary>A client is gone: what it had in hand becomes visible soon.</summary>
    public async Task GiveBackAsync(GrpcClient client)
    {
        TimeSpan soon = TimeSpan.FromSeconds(1);
        foreach (RenewedReceipt receipt in client.Renewed?.TakeAll() ?? [])
        {
            await GiveBackAsync(client, receipt, soon).ConfigureAwait(false);
        }
    }

    private async Task RunAsync()
    {
        if (Interlocked.Exchange(ref _running, 1) != 0)
        {
            return;
        }

        try
        {
            clients.Expire();
            long dueMs = NowMs() + (long)Ahead.TotalMilliseconds;

            // Each is written by itself: one that takes long must not make others late.
            var renewing = new List<Task>();
            foreach (GrpcClient client in clients.All)
            {
                renewing.AddRange((client.Renewed?.DueBefore(dueMs) ?? []).Select(receipt => RenewAsync(client, receipt)));
            }

            await Task.WhenAll(renewing).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RenewalFailed(logger, e);
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    private async Task RenewAsync(GrpcClient client, RenewedReceipt receipt)
    {
        if (NowMs() - receipt.TakenMs > MaxRenewed.TotalMilliseconds)
        {
            // It is tried again as if it had failed.
            if (client.Renewed?.Take(receipt.Known) is not null)
            {
                SubscriptionGroupConfig group = groups.FindExisting(receipt.Group) ?? new SubscriptionGroupConfig();
                await GiveBackAsync(client, receipt, group.NextRetryDelay(0)).ConfigureAwait(false);
            }
        }
        else
        {
            TimeSpan invisible = Steps[Math.Min(receipt.Renewals, Steps.Length - 1)];
            long visibleMs = NowMs() + (long)invisible.TotalMilliseconds;
            if (await receipts.ProlongAsync(client.ToCaller(), receipt.Topic, receipt.Group, receipt.Receipt, invisible).ConfigureAwait(false))
            {
                receipt.Prolonged(visibleMs);
            }
            else
            {
                client.Renewed?.Take(receipt.Known);
            }
        }
    }

    private async Task GiveBackAsync(GrpcClient client, RenewedReceipt receipt, TimeSpan invisible) =>
        await receipts.ChangeAsync(client.ToCaller(), receipt.Topic, receipt.Group, receipt.Receipt, invisible).ConfigureAwait(false);

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
