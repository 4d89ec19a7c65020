using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Receiving;
using GrayMQ.Grpc.Framing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

public class UntakenBytesTests
{
    private const int Budget = 1_000_000;

    [Fact]
    public void Written_OfBodiesThatWereUnpacked_CountsUntilItHasGone()
    {
        var budget = new ByteBudget(Budget);
        using (var held = new UntakenBytes(budget, stored: 1000))
        {
            held.Add(UntakenBytes.FlushBytes - 1);
            Assert.False(held.IsToBeFlushed);
            held.Add(900_000);

            Assert.True(held.IsToBeFlushed);
            Assert.Equal(Budget - 1000 - UntakenBytes.FlushBytes + 1 - 900_000, budget.Free);

            held.Flushed();
            Assert.False(held.IsToBeFlushed);
            Assert.Equal(Budget - 1000, budget.Free);
            held.Add(500);
        }

        Assert.Equal(Budget, budget.Free);
    }

    [Fact]
    public void Check_NothingLeft_RefusesUntilSomethingHasGone()
    {
        var budget = new ByteBudget(Budget);
        using (var held = new UntakenBytes(budget, stored: 1000))
        {
            held.Add(Budget);
            MessagingException refused = Assert.Throws<MessagingException>(() => UntakenBytes.Check(budget));
            Assert.Equal(V2.Code.TooManyRequests, refused.Code);
        }

        UntakenBytes.Check(budget);
    }
}
