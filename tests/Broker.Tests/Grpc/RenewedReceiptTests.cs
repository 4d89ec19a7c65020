using GrayMQ.Broker.Grpc.Receiving;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Grpc;

public sealed class RenewedReceiptTests
{
    [Fact]
    public async Task Renew_OfOneThatIsTaken_DoesNothing()
    {
        var receipt = new RenewedReceipt("known", "T", "G", At(1), takenMs: 0);
        Receipt taken = await receipt.TakeAsync();

        bool asked = false;
        await receipt.RenewAsync(_ =>
        {
            asked = true;
            return Task.FromResult<Receipt?>(At(2));
        });

        Assert.False(asked);
        Assert.Equal(1, taken.PopTimeMs);
        Assert.Equal(0, receipt.Renewals);
    }

    [Fact]
    public async Task Take_WhileARenewalIsUnderWay_GivesWhatItEndsWith()
    {
        var receipt = new RenewedReceipt("known", "T", "G", At(1), takenMs: 0);
        var answer = new TaskCompletionSource<Receipt?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<bool> renewing = receipt.RenewAsync(_ => answer.Task);
        ValueTask<Receipt> taking = receipt.TakeAsync();
        Assert.False(taking.IsCompleted);

        answer.SetResult(At(2));

        Assert.Equal(2, (await taking).PopTimeMs);
        Assert.True(await renewing);
    }

    private static Receipt At(long popTimeMs) => Receipt.Of(
        new PopHandle
        {
            StartOffset = 0,
            PopTimeMs = popTimeMs,
            InvisibleTimeMs = 60_000,
            ReviveQueueId = 0,
            Kind = default,
            BrokerName = "broker-a"u8.ToArray(),
            QueueId = 0,
            QueueOffset = 0,
        },
        physicalOffset: 0);
}
