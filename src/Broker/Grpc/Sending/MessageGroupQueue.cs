using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>
/// The queue of a message group: the same for as long as the topic has the same number of queues, and of queues that are added each
/// group moves to a new one or stays (RocketMQ: SendMessageQueueSelector, which uses Guava's consistent hash).
/// </summary>
internal static class MessageGroupQueue
{
    public static int Of(string group, int queues)
    {
        ulong state = (ulong)JavaStringHash.Of(group);
        int candidate = 0;
        while (true)
        {
            // A linear congruential generator, whose number is in (0, 1].
            state = unchecked((2862933555777941757UL * state) + 1);
            double random = ((double)((int)(state >> 33) + 1)) / 0x8000_0000L;
            int next = (int)((candidate + 1) / random);
            if (next < 0 || next >= queues)
            {
                return candidate;
            }

            candidate = next;
        }
    }
}
