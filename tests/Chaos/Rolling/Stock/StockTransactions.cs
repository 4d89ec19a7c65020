using System.Diagnostics;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>
/// Sends half messages as a stock transactional producer does, without trying again, and ends them one-way: half of them committed, a
/// quarter rolled back, and a quarter left to the broker's question, which is answered with a commit.
/// </summary>
internal sealed class StockTransactions : StockClient
{
    private const string Group = "rolling-transactions";
    private const int Queues = 4;
    private static readonly byte[] GroupUtf8 = Encoding.UTF8.GetBytes(Group);

    private readonly string _id;
    private readonly SendRecord _record;

    public StockTransactions(LoadSettings settings, string id, SendRecord record)
        : this(settings, id, record, new RequestTable())
    {
    }

    private StockTransactions(LoadSettings settings, string id, SendRecord record, RequestTable requests)
        : base(settings, record.Topic, requests)
    {
        _id = id;
        _record = record;
        requests.On<CheckTransactionStateHeader>(RequestCode.CheckTransactionState, AnswerAsync);
    }

    protected override HeartbeatData Heartbeat =>
        new() { ClientId = _id, ProducerDataSet = [new ProducerData { GroupName = Group }] };

    protected override async Task RunAsync(CancellationToken stop)
    {
        for (int number = 0; !stop.IsCancellationRequested; number++)
        {
            await RefreshAsync();
            if (Route.Writable.Count > 0)
            {
                await SendAsync(Route.Writable[number % Route.Writable.Count], number);
            }

            await Task.Delay(Settings.Pause, CancellationToken.None);
        }
    }

    private async Task SendAsync(StockQueue queue, int number)
    {
        string body = $"{_id}-{number}";
        bool rollsBack = number % 4 == 2;
        bool leavesOpen = number % 4 == 3;
        var properties = new Dictionary<string, string>
        {
            [MessageProperty.UniqueKey] = body,
            [MessageProperty.TransactionPrepared] = "true",
            [MessageProperty.ProducerGroup] = Group,
        };
        SendMessageHeader header = StockSend.Header(Group, _record.Topic, Queues, queue.QueueId) with
        {
            SysFlag = MessageSysFlag.TransactionPrepared,
            Properties = MessagePropertiesCodec.ToBytes(properties),
        };
        long begun = Stopwatch.GetTimestamp();
        try
        {
            RemotingCommand answer = await Client.InvokeAsync(
                queue.Address, RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(body), Settings.SendTimeout);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                _record.Fail(_id, $"{queue.Broker}: {answer.ResponseCode} {answer.Remark}", begun);
                return;
            }

            if (rollsBack)
            {
                _record.RollBack(body, begun);
            }
            else
            {
                _record.Acknowledge(body, begun);
            }

            if (!leavesOpen)
            {
                await EndAsync(queue.Address, SendMessageResponseHeader.Read(answer.Fields), body, rollsBack);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            _record.Fail(_id, $"{queue.Broker}: {e.Message}", begun);
        }
    }

    private async Task EndAsync(string address, SendMessageResponseHeader sent, string body, bool rollsBack)
    {
        if (!MessageId.TryParse(sent.MessageId, out _, out long physicalOffset))
        {
            throw new InvalidOperationException($"{sent.MessageId} is no message id");
        }

        var header = new EndTransactionHeader
        {
            Topic = Encoding.UTF8.GetBytes(_record.Topic),
            ProducerGroup = GroupUtf8,
            QueueOffset = sent.QueueOffset,
            PhysicalOffset = physicalOffset,
            Outcome = rollsBack ? MessageSysFlag.TransactionRollback : MessageSysFlag.TransactionCommit,
            MessageId = Encoding.UTF8.GetBytes(body),
            TransactionId = Encoding.UTF8.GetBytes(sent.TransactionId ?? body),
        };
        try
        {
            await Client.SendOneWayAsync(address, RequestCode.EndTransaction, header, default);
        }
        catch (IOException)
        {
            // The broker will ask.
        }
    }

    private ValueTask AnswerAsync(RemotingRequest request, CheckTransactionStateHeader check)
    {
        string body = check.MessageId ?? "";
        var header = new EndTransactionHeader
        {
            Topic = Encoding.UTF8.GetBytes(check.Topic ?? ""),
            ProducerGroup = GroupUtf8,
            QueueOffset = check.QueueOffset,
            PhysicalOffset = check.PhysicalOffset,
            Outcome = _record.IsRolledBack(body) ? MessageSysFlag.TransactionRollback : MessageSysFlag.TransactionCommit,
            FromCheck = true,
            MessageId = Encoding.UTF8.GetBytes(body),
            TransactionId = Encoding.UTF8.GetBytes(check.TransactionId ?? body),
        };
        request.Connection.SendOneWay(RequestCode.EndTransaction, in header);
        return ValueTask.CompletedTask;
    }
}
