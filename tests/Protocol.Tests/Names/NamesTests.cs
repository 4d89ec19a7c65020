using System.Text;

namespace GrayMQ.Protocol.Names;

public class NamesTests
{
    [Theory]
    [InlineData("TopicTest", null)]
    [InlineData("%RETRY%group|a-b_9", null)]
    [InlineData("", "blank")]
    [InlineData(" \t", "blank")]
    [InlineData("a b", "illegal")]
    [InlineData("a+b", "illegal")]
    [InlineData("a@b", "illegal")]
    [InlineData("../etc", "illegal")]
    [InlineData("主题", "illegal")]
    public void Problem_Name_IsNamed(string name, string? problem)
    {
        string?[] answers =
        [
            TopicNames.Problem(name), TopicNames.Problem(Encoding.UTF8.GetBytes(name)),
            GroupNames.Problem(name), GroupNames.Problem(Encoding.UTF8.GetBytes(name)),
        ];

        Assert.All(answers, answer =>
        {
            if (problem is null)
            {
                Assert.Null(answer);
            }
            else
            {
                Assert.Contains(problem, answer);
            }
        });
    }

    [Fact]
    public void Problem_LongestName_IsFineAndOneMoreIsNot()
    {
        Assert.Null(TopicNames.Problem(new string('t', 127)));
        Assert.Contains("longer", TopicNames.Problem(new string('t', 128)));
        Assert.Null(GroupNames.Problem(new string('g', 255)));
        Assert.Contains("longer", GroupNames.Problem(new string('g', 256)));
    }

    [Fact]
    public void TopicsOfAGroup_AreNamedAsRocketMQDoes()
    {
        Assert.Equal("%RETRY%g", TopicNames.RetryOf("g"));
        Assert.Equal("%DLQ%g", TopicNames.DeadLetterOf("g"));
        Assert.Equal("%RETRY%g_t", TopicNames.PopRetryOf("t", "g"));
        Assert.Equal("%RETRY%g+t", TopicNames.PopRetryOf("t", "g", secondForm: true));
    }
}
