using System.Globalization;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Model;

/// <summary>A producer that sends in transactions: what is committed comes once, what is not, or is rolled back, never does.</summary>
internal sealed class Transactions(string topic, int queues, SentMessages sent, Random random)
{
    private const string Group = "deciders";

    private readonly List<Half> _open = [];

    public int Open => _open.Count;

    public int Committed { get; private set; }

    public int RolledBack { get; private set; }

    public async Task BeginAsync(BrokerClient client)
    {
        SentMessage message = sent.Add(topic, notBeforeMs: 0);
        message.IsWithheld = true;
        string key = string.Create(CultureInfo.InvariantCulture, $"TRANSACTION{message.Id}");
        RemotingCommand? answer = await client.AskAsync(
            RequestCode.SendMessageV2,
            new SendMessageHeader
            {
                ProducerGroup = Text.Utf8(Group),
                Topic = Text.Utf8(topic),
                DefaultTopic = "TBW102"u8.ToArray(),
                DefaultTopicQueueNums = queues,
                QueueId = random.Next(queues),
                SysFlag = MessageSysFlag.TransactionPrepared,
                BornTimestampMs = BrokerClient.NowMs,
                Properties = Text.Utf8($"TRAN_MSG\u0001true\u0002PGROUP\u0001{Group}\u0002UNIQ_KEY\u0001{key}\u0002"),
            },
            SentMessages.Body(message.Id));
        if (answer is null)
        {
            return;
        }

        Violation.Unless(answer.ResponseCode == ResponseCode.Success, $"half message: {answer.ResponseCode} {answer.Remark}");
        SendMessageResponseHeader place = SendMessageResponseHeader.Read(answer.Fields);
        Violation.Unless(
            MessageId.TryParse(place.MessageId, out _, out long physicalOffset), $"{place.MessageId} is no message id");
        _open.Add(new Half(message, key, place.QueueOffset, physicalOffset, Commits: random.Next(3) > 0));
    }

    public async Task EndAsync(BrokerClient client)
    {
        if (_open.Count == 0)
        {
            return;
        }

        int index = random.Next(_open.Count);
        Half half = _open[index];
        RemotingCommand? answer = await client.AskAsync(RequestCode.EndTransaction, new EndTransactionHeader
        {
            Topic = Text.Utf8(topic),
            ProducerGroup = Text.Utf8(Group),
            QueueOffset = half.QueueOffset,
            PhysicalOffset = half.PhysicalOffset,
            Outcome = half.Commits ? MessageSysFlag.TransactionCommit : MessageSysFlag.TransactionRollback,
            MessageId = Text.Utf8(half.Key),
            TransactionId = Text.Utf8(half.Key),
        });
        if (answer is null)
        {
            // Asked again later: then the broker says whether it has happened.
            half.Message.IsWithheld &= !half.Commits;
            _open[index] = half with { MayHaveEnded = true };
            return;
        }

        Violation.Unless(
            answer.ResponseCode == ResponseCode.Success || (half.MayHaveEnded && answer.ResponseCode == ResponseCode.IllegalOperation),
            $"the end of transaction {half}: {answer.ResponseCode} {answer.Remark}");
        _open.RemoveAt(index);
        half.Message.IsWithheld = !half.Commits;
        half.Message.IsStored |= half.Commits;
        Committed += half.Commits ? 1 : 0;
        RolledBack += half.Commits ? 0 : 1;
    }

    /// <param name="Key">Its unique key.</param>
    /// <param name="Commits">How it ends, in the end.</param>
    private sealed record Half(SentMessage Message, string Key, long QueueOffset, long PhysicalOffset, bool Commits)
    {
        /// <summary>Its end was asked for and not answered.</summary>
        public bool MayHaveEnded { get; init; }
    }
}
