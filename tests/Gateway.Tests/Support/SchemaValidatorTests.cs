using System.Text;

namespace Gateway.Tests.Support;

public sealed class SchemaValidatorTests(SchemaValidator schemas)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_valid_reply_has_no_errors() =>
        await schemas.AssertValidAsync("CreateChatCompletionResponse", Encoding.UTF8.GetBytes(Replies.Completion("m", "Hallo, Ümläut")), Cancel);

    [Theory]
    [InlineData("Model", """{"id":"x","object":"model","created":"yesterday","owned_by":"me"}""", "/created must be integer")]
    [InlineData("Model", """{"id":"x"}""", "must have required property 'owned_by'")]
    [InlineData("ErrorResponse", """{"error":{"message":"m","type":"t","param":null}}""", "must have required property 'code'")]
    [InlineData("Model", "{", "not JSON")]
    [InlineData("Modell", "{}", "there is no definition Modell")]
    public async Task What_is_wrong_is_named(string definition, string json, string error)
    {
        var errors = await schemas.ValidateAsync(definition, Encoding.UTF8.GetBytes(json), Cancel);

        Assert.Contains(errors, e => e.Contains(error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Concurrent_questions_get_their_own_answers()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            schemas.ValidateAsync("Model", Encoding.UTF8.GetBytes(i % 2 == 0 ? "{}" : Replies.Model("x")), Cancel)));

        Assert.All(answers.Index(), a => Assert.Equal(a.Index % 2 == 0, a.Item.Count > 0));
    }
}
